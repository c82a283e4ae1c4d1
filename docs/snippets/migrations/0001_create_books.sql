create table books (
  id text primary key not null,
  isbn text not null unique,
  title text not null,
  copies integer not null check (copies >= 0),
  published_on text,
  created_at text not null,
  updated_at text not null,
  version integer not null,
  deleted_at text
);
