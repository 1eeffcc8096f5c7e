"""The Flask extensions, made once and bound to an application by `create_app`."""

from flask_compress import Compress
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect

from mnistweb.database.engine import FailsafeSession
from mnistweb.database.models import Base

# Rows are read after the commit (they are the answer), and must not be fetched again for it.
db = SQLAlchemy(model_class=Base, session_options={"class_": FailsafeSession, "expire_on_commit": False})
migrate = Migrate()
csrf = CSRFProtect()
compress = Compress()
