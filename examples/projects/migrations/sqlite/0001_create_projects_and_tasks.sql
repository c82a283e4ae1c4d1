-- Ids, times and dates are text in their wire form: it sorts in the order of time, in every database.
-- The checks hold for every program that writes here; the whole of the rules is in src/project.hpp and
-- src/project_task.hpp.

create table projects (
  id text primary key not null,
  name text not null constraint projects_name_unique unique check (name <> '' and length(name) <= 100),
  description text check (length(description) <= 1000),
  status text not null check (status in ('active', 'archived')),
  priority integer not null check (priority between 0 and 5),
  tags text not null, -- a JSON array
  due_date text,
  created_at text not null,
  updated_at text not null
);

-- The list of all projects, newest first, and the same of one status.
create index projects_by_age on projects (created_at, id);
create index projects_by_status_and_age on projects (status, created_at, id);
-- sort=dueDate
create index projects_by_due_date on projects (due_date, id);

create table tasks (
  id text primary key not null,
  project_id text not null references projects (id) on delete cascade,
  title text not null check (title <> '' and length(title) <= 200),
  status text not null check (status in ('todo', 'doing', 'done')),
  due_date text,
  created_at text not null,
  updated_at text not null
);

-- The tasks of a project, newest first; it also serves the cascade.
create index tasks_by_project_and_age on tasks (project_id, created_at, id);
-- /tasks/due: what is still to do, by its day.
create index tasks_open_by_due_date on tasks (due_date, project_id, id)
  where status <> 'done' and due_date is not null;
