-- The checks hold for every program that writes here, and each has a name, which an error and a later migration can
-- use; the whole of the rules is in src/project.hpp and src/project_task.hpp. Ids are made by the
-- service (UUIDs of version 7, which rise with time, so new rows share the last pages of an index).

create table projects (
  id uuid constraint projects_pkey primary key,
  name text not null
    constraint projects_name_unique unique
    constraint projects_name_length check (name <> '' and char_length(name) <= 100),
  description text
    constraint projects_description_length check (char_length(description) <= 1000),
  -- Text with a check, no enum type: a check can lose a value and is changed in one transaction, where an enum
  -- only ever grows.
  status text not null
    constraint projects_status_known check (status in ('active', 'archived')),
  priority smallint not null
    constraint projects_priority_range check (priority between 0 and 5),
  tags jsonb not null
    constraint projects_tags_array check (jsonb_typeof(tags) = 'array'),
  due_date date,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- 'simple' neither stems nor drops words: names come in every language. A word of the name counts more.
  search tsvector not null generated always as (
    setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', coalesce(description, '')), 'B')
  ) stored
);

comment on column projects.search is 'For: where search @@ websearch_to_tsquery(''simple'', $1)';

-- The list of all projects, newest first, and the same of one status. Both are read backwards.
create index projects_by_age on projects (created_at, id);
create index projects_by_status_and_age on projects (status, created_at, id);
-- sort=dueDate: in lists, those without a date come first.
create index projects_by_due_date on projects (due_date nulls first, id);
-- /projects/search
create index projects_search on projects using gin (search);
-- tags[has]=moon, which is tags @> '["moon"]'; for that, jsonb_path_ops is smaller and faster than the default.
create index projects_tags on projects using gin (tags jsonb_path_ops);

create table tasks (
  id uuid constraint tasks_pkey primary key,
  project_id uuid not null
    constraint tasks_project_exists references projects (id) on delete cascade,
  title text not null
    constraint tasks_title_length check (title <> '' and char_length(title) <= 200),
  status text not null
    constraint tasks_status_known check (status in ('todo', 'doing', 'done')),
  due_date date,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- The tasks of a project, newest first; it also serves the cascade. With the status inside, counting those of
-- one status reads the index alone.
create index tasks_by_project_and_age on tasks (project_id, created_at, id) include (status);
-- /tasks/due: what is still to do, by its day. Done tasks, in time nearly all, leave it.
create index tasks_open_by_due_date on tasks (due_date, project_id, id)
  where status <> 'done' and due_date is not null;
