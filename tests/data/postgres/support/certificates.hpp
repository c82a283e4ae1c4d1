#pragma once

#include "processes.hpp"

namespace own {

/// NAME.crt and NAME.key in `folder`, as Postgres wants them: a certificate for this common name and, when
/// not empty, these other names ("DNS:localhost,IP:127.0.0.1"). Nobody but itself vouches for it.
inline void make_certificate(const std::string& folder, const std::string& name,
                             const std::string& common_name = "localhost",
                             const std::string& other_names = "DNS:localhost,IP:127.0.0.1") {
  auto words = as_nobody();
  words.insert(words.end(),
               {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-days", "2", "-subj", "/CN=" + common_name, "-keyout",
                folder + "/" + name + ".key", "-out", folder + "/" + name + ".crt"});
  if (!other_names.empty()) words.insert(words.end(), {"-addext", "subjectAltName=" + other_names});
  own::run(words, folder + "/" + name + ".log");
}

}  // namespace own
