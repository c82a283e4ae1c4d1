#pragma once

#include <filesystem>
#include <memory>
#include <string>

struct evp_pkey_st;
struct x509_st;

/// Certificates of the tests' own, as PEM files in a folder that goes with the object.
class test_authority {
 public:
  struct files {
    std::string certificate;
    std::string key;
  };

  test_authority();
  ~test_authority();
  test_authority(const test_authority&) = delete;
  test_authority& operator=(const test_authority&) = delete;

  /// What must be trusted for the certificates it issues.
  const std::string& certificate() const noexcept { return certificate_; }
  /// `names` as OpenSSL writes subjectAltName: "DNS:localhost,IP:127.0.0.1". `days` may be past.
  files issue(const std::string& names, int days = 1);

 private:
  files write(const std::string& stem, x509_st* certificate, evp_pkey_st* key);

  std::filesystem::path folder_;
  std::string certificate_;
  int issued_ = 0;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> own_;
};
