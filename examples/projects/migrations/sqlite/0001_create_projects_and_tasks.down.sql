drop table tasks;
drop table projects;
