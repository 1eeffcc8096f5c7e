-- PostgreSQL's image runs this when it makes the database's volume: the site's role owns its database, and is no
-- superuser. The superuser "postgres" has no password, so it is reached from within the container alone.
\getenv password POSTGRES_PASSWORD
CREATE ROLE mnistweb LOGIN PASSWORD :'password';
CREATE DATABASE mnistweb OWNER mnistweb;
REVOKE ALL ON DATABASE mnistweb FROM PUBLIC;
ALTER ROLE postgres PASSWORD NULL;
