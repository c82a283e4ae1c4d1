create table books (id integer primary key, tags text not null);
