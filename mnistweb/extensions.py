"""Flask extensions, created once and bound to an application by `create_app`."""

from flask_compress import Compress
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from mnistweb.database.engine import FailsafeSession
from mnistweb.database.models import Base

# Rows are rendered after the commit, which must not expire and fetch them again.
db = SQLAlchemy(model_class=Base, session_options={"class_": FailsafeSession, "expire_on_commit": False})
migrate = Migrate()
compress = Compress()
