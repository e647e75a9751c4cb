"""Bodies that could hold a worker: made from every member that is read, sent, and measured."""
