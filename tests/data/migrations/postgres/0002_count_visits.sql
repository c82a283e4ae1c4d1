create table visits (person_id integer not null references people(id) on delete cascade);

-- Semicolons in both kinds of body: quoted by dollars, and bare between BEGIN ATOMIC and END.
create function count_visit() returns trigger language plpgsql as $body$
begin
  update people set visits = visits + 1 where id = new.person_id;
  return new;
end;
$body$;
create function cheer(person integer) returns void language sql begin atomic
  update people set name = name || case when true then '!' end where id = person;
  select 1;
end;
create function cheer_visit() returns trigger language plpgsql as $$ begin perform cheer(new.person_id); return new; end $$;
create trigger count_visit after insert on visits for each row execute function count_visit();
create trigger cheer_visit after insert on visits for each row execute function cheer_visit();
