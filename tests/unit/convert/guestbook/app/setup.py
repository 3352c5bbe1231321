"""Writes the first entry, once."""

import os

import redis

cache = redis.Redis.from_url(os.environ["CACHE_URL"], decode_responses=True)
if not cache.exists("entries"):
    cache.rpush("entries", "opened")
print("The guestbook is open.")
