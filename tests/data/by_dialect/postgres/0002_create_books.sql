create table books (id bigint primary key, tags jsonb not null);
