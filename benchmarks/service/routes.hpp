#pragma once

#include <corbel/routing/router.hpp>
#include <string_view>

/// The routes that every measurement uses, by whatever program:
///   GET  /plaintext                            13 bytes of text
///   GET  /json                                 one described object
///   GET  /api/v1/projects/:id/tasks/:taskId    its parameters as JSON, beside 100 other routes
///   POST /api/v1/projects                      a body decoded, validated, and answered with 201 and an id
void add_measured_routes(corbel::route_group root);

/// A valid body for the POST: 187 bytes.
inline constexpr std::string_view measured_body =
    R"({"name":"Apollo launch scheduler","description":"Plan and track every task of the launch campaign.",)"
    R"("ownerId":42,"status":"active","priority":3,"tags":["alpha","beta","release"],"dueDate":"2026-12-31"})";
