-- The tables of the database scenarios, the same in every run: psql "$DATABASE_URL" -f benchmarks/database.sql
\set ON_ERROR_STOP on
set client_min_messages = warning;
begin;
drop table if exists world, fortune;
create table world (id int primary key, randomnumber int not null);
insert into world select id, 1 + id * 7919 % 10000 from generate_series(1, 10000) as id;
create table fortune (id int primary key, message text not null);
insert into fortune values
  (1, 'A cache is a promise to be wrong quickly.'),
  (2, 'Whoever measures twice has two figures and no answer.'),
  (3, 'The shortest queue is the one you have just left.'),
  (4, '"It works here" names a place, not a reason.'),
  (5, 'Every timeout is somebody''s guess.'),
  (6, '<script>alert("This is text, and stays text.");</script>'),
  (7, 'Names are hard; renaming them is harder. \ The backslash agrees.'),
  (8, 'Ein Stein, der aus der Mauer ragt, trägt den Balken.'),
  (9, '井の中の蛙、大海を知らず。'),
  (10, 'There are 12 of these, so that sorting them costs something.'),
  (11, 'Errors travel first class; results take the pipeline.'),
  (12, 'An index nobody reads is a tax everybody pays.');
commit;
vacuum analyze world, fortune;
