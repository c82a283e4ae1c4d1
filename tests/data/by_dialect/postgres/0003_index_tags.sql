-- corbel: no-transaction
drop index concurrently if exists books_tags;
create index concurrently books_tags on books using gin (tags);
