#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <string>

/// What a shell command prints.
inline std::string output_of(const std::string& command) {
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe);
  std::string all;
  std::array<char, 4096> piece{};
  while (const auto n = std::fread(piece.data(), 1, piece.size(), pipe)) all.append(piece.data(), n);
  ::pclose(pipe);
  return all;
}
