"""How Superset is served: `gunicorn -c gunicorn.conf.py "superset.app:create_app()"`."""

import os

bind = f"{os.environ.get('HEADRACE_BIND', '127.0.0.1')}:{int(os.environ['HEADRACE_PORT_BASE']) + 88}"
worker_class = "gthread"
workers = 2
threads = 4
timeout = 120
# Workers that shared one database socket would answer 500 under load.
preload_app = False
# Otherwise gunicorn opens a socket in the home folder.
control_socket_disable = True
accesslog = None
loglevel = "warning"
