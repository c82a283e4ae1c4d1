create table shelves (id integer primary key);
