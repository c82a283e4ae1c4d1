create table stones (id bigint primary key, name text not null);
