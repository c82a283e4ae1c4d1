#include "data/postgres/connect_advice.hpp"

namespace corbel::postgres {
namespace {

struct known_refusal {
  std::string_view said;  // what libpq or the server says
  std::string_view too;   // what it says besides; empty for nothing
  std::string_view advice;
};

// In this order: the first that fits is the advice. What may stand inside another's words comes later.
constexpr known_refusal refusals[] = {
    {"startup parameter", "", "a pooler stands in between: add pooler=transaction to the database URL"},
    {"could not translate host name", "", "correct the host in the database URL"},
    {"on socket", "No such file or directory",
     "start Postgres on this machine, or write its host into the database URL"},
    {"Connection refused", "",
     "start Postgres there, or correct the host and the port in the database URL; in a container, 127.0.0.1 "
     "is the container itself"},
    {"timeout expired", "",
     "see that the host and the port in the database URL are right and that no firewall stands in between; "
     "connect_timeout=... gives the server more seconds"},
    {"timed out", "",
     "see that the host and the port in the database URL are right and that no firewall stands in between"},
    {"unreachable", "", "correct the host in the database URL, or mend the network on the way to it"},
    {"No route to host", "", "correct the host in the database URL, or mend the network on the way to it"},
    {"password authentication failed", "",
     "correct the user and the password in the database URL; there, @ : / and % are written as %40 %3A %2F "
     "and %25"},
    {"no password supplied", "",
     "write the password into the database URL, postgres://user:password@host/name, or into PGPASSWORD"},
    {"eer authentication failed", "",
     "a Unix socket admits the system's user of that name alone: write a host and a password into the "
     "database URL"},
    {"Ident authentication failed", "",
     "the server admits the system's user of that name alone: let its pg_hba.conf ask for a password"},
    {"no pg_hba.conf entry", "no encryption",
     "admit this host, user and database in the server's pg_hba.conf; if that asks for TLS, add "
     "sslmode=require to the database URL, or verify-full to know the server too"},
    {"no pg_hba.conf entry", "", "admit this host, user and database in the server's pg_hba.conf"},
    {"pg_hba.conf rejects", "", "admit this host, user and database in the server's pg_hba.conf"},
    {"database \"", "does not exist",
     "create it (createdb), or correct the name behind the last / of the database URL"},
    {"role \"", "does not exist", "create it (createuser), or correct the user in the database URL"},
    {"is not permitted to log in", "", "give the role LOGIN, or name another user in the database URL"},
    {"permission denied for database", "",
     "grant the user CONNECT on it, or name another in the database URL"},
    {"does not support SSL", "",
     "switch TLS on at the server (ssl = on), or write sslmode=prefer where the network may be trusted"},
    {"root certificate file", "",
     "give the certificate of the server's authority: sslrootcert=FILE in the database URL"},
    {"certificate verify failed", "",
     "give the certificate of the server's authority: sslrootcert=FILE in the database URL"},
    {"server certificate for", "does not match",
     "write the host into the database URL as the server's certificate names it"},
    {"too many c", "",
     "raise max_connections of the server, or lower connections=... in the database URL: each thread of the "
     "program opens so many"},
    {"remaining connection slots", "",
     "raise max_connections of the server, or lower connections=... in the database URL: each thread of the "
     "program opens so many"},
    {"database system is", "", "it is starting, stopping or recovering: wait until it is up"},
    {"invalid response to SSL", "", "what answers there is no Postgres: correct the host and the port"},
    {"is not in hot standby mode", "",
     "name a replica, or leave target_session_attrs out of the database URL"},
    {"session is read-only", "",
     "name the server that takes changes, or leave target_session_attrs out of the database URL"},
    {"is in hot standby mode", "",
     "name the server that takes changes, or leave target_session_attrs out of the database URL"},
};

bool says(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string connect_advice(std::string_view why) {
  for (const auto& one : refusals)
    if (says(why, one.said) && says(why, one.too)) return std::string(one.advice);
  return "look whether host, port, user, password and database are right in the database URL";
}

}  // namespace corbel::postgres
