"""Three replicas behind HAProxy with PostgreSQL and Redis, from programs of this machine: no containers."""

from deploy.cluster.cluster import Cluster, missing

__all__ = ["Cluster", "missing"]
