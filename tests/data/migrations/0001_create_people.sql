-- People; a semicolon here; changes nothing.
create table people (
  id integer primary key,
  name text not null default 'a;b "quoted" ''text''', /* ; */
  visits integer not null default 0
);
