"""The settings of gunicorn that the service chose, for a contender that is a WSGI application."""

worker_class = "sync"
timeout = 60
graceful_timeout = 30
preload_app = True
accesslog = None
loglevel = "warning"
control_socket_disable = True
