# The works in Beanie: in_beanie.py WORK N. It stores no class; its references are of another kind.
import asyncio
import datetime
from typing import Annotated

import beanie
import bson
from beanie.odm.utils.dump import get_dict
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient

import people
from people import key_of, sum_all, sum_three


class Address(BaseModel):
    street: str | None = None
    city: str | None = None
    zip: str | None = None


class Person(beanie.Document):
    name: str
    nick: Annotated[str, Field(max_length=30)] | None = None
    email: Annotated[str, Field(pattern=r"^[^@]+@[^@]+$")] | None = None
    age: Annotated[int, Field(ge=0)] | None = None
    visits: int | None = None
    score: float | None = None
    active: bool | None = None
    joined: datetime.datetime | None = None
    team: beanie.PydanticObjectId | None = None
    address: Address | None = None
    tags: list[str] = []
    level: int | None = None

    class Settings:
        name = "people"
        use_state_management = True


def new_person(i):
    return people.build(Person, Address, i)


async def read_all(_, count):
    return sum([sum_all(p) async for p in Person.find_all().limit(count)])


async def read_three(_, count):
    return sum([sum_three(p) async for p in Person.find_all().limit(count)])


async def encode(start, count):
    return sum(len(bson.encode(get_dict(new_person(i), to_db=True, keep_nulls=False)))
               + people.CLASS_BYTES for i in range(start, start + count))


async def bulk_insert(start, count):
    total = 0
    for batch in people.batches(start, count, new_person):
        total += len((await Person.insert_many(batch)).inserted_ids)
    return total


async def save_each(start, count):
    for i in range(start, start + count):
        await new_person(i).insert()
    return count


async def change_one_setup(start, count):
    return [await Person.get(key_of(i)) for i in range(start, start + count)]


async def change_one(_, count, loaded):
    for p in loaded:
        p.age += 1
        await p.save_changes()
    return sum(p.age for p in loaded)


async def get_by_key(start, count):
    total = 0
    for i in range(start, start + count):
        total += sum_three(await Person.get(key_of(i)))
    return total


with asyncio.Runner() as runner:
    async def connect():
        client = AsyncMongoClient(people.uri())
        await beanie.init_beanie(client.get_default_database(), document_models=[Person])

    runner.run(connect())
    works = globals()
    people.measure(works, lambda work: runner.run(work) if asyncio.iscoroutine(work) else work)
