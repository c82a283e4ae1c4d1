create table loans (
  book_id text not null references books (id),
  reader text not null,
  primary key (book_id, reader)
);
