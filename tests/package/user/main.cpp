#include <corbel/base/describe/type_of.hpp>
#include <corbel/base/error.hpp>
#include <corbel/base/uuid.hpp>
#include <string>
#ifdef HAS_MIGRATIONS
#include "embedded/migrations.hpp"
#endif

struct stone {
  std::string name;
};
constexpr auto describe(corbel::tag<stone>) {
  using namespace corbel::rules;
  return object(field("name", &stone::name, text().min(1)));
}

int main() {
  const auto id = corbel::uuid::v7();
  const bool read_back = corbel::parse_uuid(corbel::to_text(id)) == id;
#ifdef HAS_MIGRATIONS
  if (embedded::migrations().all().size() != 1) return 2;
#endif
  return read_back && corbel::type_of<stone>().object->find("name") ? 0 : 1;
}
