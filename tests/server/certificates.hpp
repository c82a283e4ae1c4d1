#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

/// Certificates made for one test, in a folder that goes with the object. By OpenSSL's API, since they are
/// many.
class certificates {
 public:
  enum class kind { ec, rsa, weak_rsa };
  struct wish {
    std::string subject = "test";
    std::vector<std::string> names = {};  ///< such as "DNS:localhost", "IP:127.0.0.1"
    int valid_from = -3600;               ///< seconds from now
    int valid_until = 90 * 24 * 3600;
    kind key = kind::ec;
    std::string issuer = {};  ///< the name of an authority made before; empty signs itself
    bool authority = false;
  };

  certificates();
  ~certificates();
  certificates(const certificates&) = delete;
  certificates& operator=(const certificates&) = delete;

  /// Writes NAME.pem and NAME.key.
  void make(const std::string& name, const wish& wanted);
  std::string path(const std::string& file) const { return (folder_ / file).string(); }
  std::string certificate(const std::string& name) const { return path(name + ".pem"); }
  std::string key(const std::string& name) const { return path(name + ".key"); }
  /// Encrypts the key by a password.
  void seal(const std::string& name, const std::string& password);
  /// Makes `to` what `from` is, as a renewal does.
  void replace(const std::string& to, const std::string& from);

 private:
  struct pair {
    std::string name;
    std::shared_ptr<X509> certificate;
    std::shared_ptr<EVP_PKEY> key;
  };
  const pair* find(const std::string& name) const;
  std::filesystem::path folder_;
  std::vector<pair> made_;
  long serial_ = 1;
};
