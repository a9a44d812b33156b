// The works in Mongoose: in_mongoose.js WORK N, with the data of ../data.c. It stores no class.
"use strict";
const mongoose = require("mongoose");
const { Schema, mongo: { BSON, ObjectId } } = mongoose;

const BATCH = 1000;
// The bytes of `_cls` in a person and its address, and those of the `_id` that Mongoose gives.
const CLASS_BYTES = 17 + 18, KEY_BYTES = 17;

const address = new Schema({ street: String, city: String, zip: String }, { _id: false });
const person = new Schema({
  name: { type: String, required: true },
  nick: { type: String, maxLength: 30 },
  email: { type: String, match: /^[^@]+@[^@]+$/ },
  age: { type: Schema.Types.Int32, validate: (age) => age >= 0 },
  visits: BigInt,
  score: Schema.Types.Double,
  active: Boolean,
  joined: Date,
  team: Schema.Types.ObjectId,
  address,
  tags: [String],
  level: Schema.Types.Int32,
}, { collection: "people", versionKey: false });
const Person = mongoose.model("Person", person);
const Author = mongoose.model("Author", new Schema({
  name: String, group: Schema.Types.Int32,
}, { collection: "authors", versionKey: false }));
const Book = mongoose.model("Book", new Schema({
  title: String, pages: Schema.Types.Int32, author: { type: Schema.Types.ObjectId, ref: "Author" },
}, { collection: "books", versionKey: false }));

const keyOf = (i) => new ObjectId("6500000000000000" + i.toString(16).padStart(8, "0"));

const pool = Array.from({ length: 1000 }, (_, i) => ({
  name: "Zoë Person " + String(i).padStart(4, "0"), nick: "nick-" + i,
  email: `person${i}@example.com`, age: 18 + i % 60, visits: 10000000000n + BigInt(i * 7919),
  score: i * 0.5, active: i % 3 === 0, joined: new Date((1500000000 + i * 86400) * 1000),
  team: keyOf(i % 10), tags: [0, 1, 2, 3, 4].map((t) => "tag" + (i + t) % 20), level: i % 7,
  address: { street: i + " Long Street", city: "City " + i % 50, zip: String(i).padStart(5, "0") },
}));
const valuesOf = (i) => ({ ...pool[i % pool.length] });

const team = keyOf(0);
// In bytes: the name has a letter of two.
const sumAll = (p) => p.name.length + 1 + p.nick.length + p.email.length + p.age
  + Number(p.visits) + Number(p.score) + (p.active ? 1 : 0) + Math.floor(p.joined.getTime() / 1000)
  + (p.team.equals(team) ? 1 : 0)
  + p.address.street.length + p.address.city.length + p.address.zip.length
  + p.tags[0].length + p.tags[1].length + p.tags[2].length + p.tags[3].length + p.tags[4].length
  + p.level;
const sumThree = (p) => p.name.length + 1 + p.age + (p.active ? 1 : 0);

const works = {
  async read_all(_, count) {
    let sum = 0;
    for (const p of await Person.find().limit(count)) sum += sumAll(p);
    return sum;
  },
  async read_three(_, count) {
    let sum = 0;
    for (const p of await Person.find().limit(count)) sum += sumThree(p);
    return sum;
  },
  async encode(from, count) {
    let sum = 0;
    for (let i = from; i < from + count; i++) {
      const p = new Person(valuesOf(i));
      await p.validate();
      sum += BSON.serialize(p.toBSON()).length + CLASS_BYTES - KEY_BYTES;
    }
    return sum;
  },
  async bulk_insert(from, count) {
    let done = 0;
    for (let first = from; first < from + count; first += BATCH) {
      const list = [];
      for (let i = first; i < Math.min(first + BATCH, from + count); i++) list.push(valuesOf(i));
      done += (await Person.insertMany(list)).length;
    }
    return done;
  },
  async save_each(from, count) {
    for (let i = from; i < from + count; i++) await new Person(valuesOf(i)).save();
    return count;
  },
  async change_one(from, count, loaded) {
    let sum = 0;
    for (const p of loaded) {
      p.age += 1;
      await p.save();
      sum += p.age;
    }
    return sum;
  },
  async get_by_key(from, count) {
    let sum = 0;
    for (let i = from; i < from + count; i++) sum += sumThree(await Person.findById(keyOf(i)));
    return sum;
  },
  async references(_, count) {
    let sum = 0;
    for (const book of await Book.find().limit(count).populate("author")) {
      sum += book.pages + book.author.name.length + book.author.group;
    }
    return sum;
  },
};

// What a work needs beforehand; not measured.
const setups = {
  async change_one(from, count) {
    const list = [];
    for (let i = from; i < from + count; i++) list.push(await Person.findById(keyOf(i)));
    return list;
  },
};

async function main() {
  const [name, n] = [process.argv[2], Number(process.argv[3])];
  const warm = Math.max(Math.floor(n / 10), 1);
  const ready = async (from, count) => setups[name] && setups[name](from, count);
  await mongoose.connect(process.env.MODM_URI, { autoIndex: false, autoCreate: false });
  await works[name](0, warm, await ready(0, warm));
  const loaded = await ready(warm, n);
  const start = process.hrtime.bigint(), used = process.cpuUsage();
  const sum = await works[name](warm, n, loaded);
  const { user, system } = process.cpuUsage(used);
  const wall = Number(process.hrtime.bigint() - start) / 1e9;
  console.log(name, n, wall.toFixed(6), ((user + system) / 1e6).toFixed(6), sum.toFixed(1));
  await mongoose.disconnect();
}

main();
