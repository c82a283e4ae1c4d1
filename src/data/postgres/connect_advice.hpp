#pragma once

#include <string>
#include <string_view>

namespace corbel::postgres {

/// What whoever starts the program can do about a connection that was not had, as the rest of a sentence.
/// `why` is what libpq says of it, which is the only form in which it tells the server's refusal. Servers
/// that speak another language than English get the general advice.
std::string connect_advice(std::string_view why);

}  // namespace corbel::postgres
