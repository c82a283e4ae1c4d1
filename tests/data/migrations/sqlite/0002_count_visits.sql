create table visits (person_id integer not null references people(id) on delete cascade);

create trigger count_visit after insert on visits begin
  update people set visits = visits + 1 where id = new.person_id;
  update people set name = name || '!' where id = new.person_id;
end;
