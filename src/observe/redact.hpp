#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace corbel::observe {

inline constexpr std::string_view redacted = "***";

/// Which field names stand for secrets.
class secret_names {
 public:
  secret_names(const std::vector<std::string>& secrets, const std::vector<std::string>& revealed);

  /// Whether the name holds one of the words, case, '-' and '_' aside, and is not revealed.
  bool covers(std::string_view name) const;

 private:
  std::vector<std::string> words_;
  std::vector<std::string> revealed_;
};

/// Whether `without_passwords` would change the text: one quick pass for the many that it would not.
bool may_hold_password(std::string_view text) noexcept;

/// The text with the password of every "scheme://user:password@host", and every value of a "password=" as
/// connection strings have it, replaced by "***".
std::string without_passwords(std::string_view text);

}  // namespace corbel::observe
