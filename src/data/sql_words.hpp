#pragma once

#include <string_view>

namespace corbel::data {

/// Takes the next word from the front of SQL text; empty at its end. Punctuation, comments and quotes are
/// stepped over loosely: a word within quotes may be taken for one of the language, never the reverse.
std::string_view next_word(std::string_view& sql);

/// Whether `word` is `lower` in any case of its ASCII letters.
bool is_word(std::string_view word, std::string_view lower) noexcept;

}  // namespace corbel::data
