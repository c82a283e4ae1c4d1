#pragma once

#include <cstdint>

/// Types that Postgres has from the start (catalog pg_type). Types that were made later begin at
/// `first_user`.
namespace corbel::postgres::oid {

inline constexpr std::uint32_t boolean = 16;
inline constexpr std::uint32_t bytea = 17;
inline constexpr std::uint32_t int8 = 20;
inline constexpr std::uint32_t int2 = 21;
inline constexpr std::uint32_t int4 = 23;
inline constexpr std::uint32_t oid = 26;
inline constexpr std::uint32_t float4 = 700;
inline constexpr std::uint32_t float8 = 701;
inline constexpr std::uint32_t interval = 1186;
inline constexpr std::uint32_t json_array = 199;
inline constexpr std::uint32_t bytea_array = 1001;
inline constexpr std::uint32_t jsonb_array = 3807;
inline constexpr std::uint32_t first_user = 16'384;

/// Every array type among them, in order.
inline constexpr std::uint32_t arrays[] = {
    143,  199,  271,  629,  651,  719,  775,  791,  1000, 1001, 1002, 1003, 1005, 1006, 1007,
    1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019, 1020, 1021, 1022,
    1027, 1028, 1034, 1040, 1041, 1115, 1182, 1183, 1185, 1187, 1231, 1263, 1270, 1561, 1563,
    2201, 2207, 2208, 2209, 2210, 2211, 2949, 2951, 3643, 3644, 3645, 3735, 3770, 3807, 3905,
    3907, 3909, 3911, 3913, 3927, 4073, 4090, 4097, 4192, 6150, 6151, 6152, 6153, 6155, 6157};

}  // namespace corbel::postgres::oid
