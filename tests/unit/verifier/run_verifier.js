// Runs the check of verifier.html, extracted from the page, on cases read from a file.
//
//   node run_verifier.js verifier.html cases.bin          frames: u32 length, trust file, u32 length, bundle; answers on stdout
//   node run_verifier.js verifier.html --calls calls.json [[function, argument…]…]; {"hex": …} is bytes, {"big": …} a BigInt
"use strict";
const fs = require("fs");
const vm = require("vm");

const [page, ...rest] = process.argv.slice(2);
const script = fs.readFileSync(page, "utf8").match(/<script id="verifier">\n([^]*?)<\/script>/)[1];
const opposable = vm.runInThisContext(`${script}\nOpposable`);

// Each signature once, as the page checks it; one in eight by the plain Ed25519 too, and the two must agree.
const known = new Map();
async function both(...parts) {
  const name = parts.map((part) => Buffer.from(part).toString("base64")).join(" ");
  if (!known.has(name)) {
    const answer = await opposable.ed25519(...parts);
    if (known.size % 8 === 0 && answer !== opposable.plainEd25519(...parts)) throw new Error(`two Ed25519: ${name}`);
    known.set(name, answer);
  }
  return known.get(name);
}

async function cases(file) {
  const data = fs.readFileSync(file);
  let at = 0;
  const next = () => {
    const length = data.readUInt32BE(at);
    at += 4 + length;
    return new Uint8Array(data.subarray(at - length, at));
  };
  while (at < data.length) {
    const trust = next(), bundle = next();
    let answer;
    try {
      answer = await opposable.verifyBundle(bundle, trust, both);
    } catch (error) {
      answer = error instanceof opposable.Bad ? { unusable: error.message } : { crashed: error.stack };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

const given = (value) => {
  if (Array.isArray(value)) return value.map(given);
  if (value !== null && typeof value === "object") {
    if ("hex" in value) return new Uint8Array(Buffer.from(value.hex, "hex"));
    if ("big" in value) return BigInt(value.big);
    if ("vkeys" in value) return value.vkeys.map(opposable.parseVkey);
    if ("verify" in value) return both;
  }
  return value;
};
const told = (key, value) => {
  if (typeof value === "bigint") return { big: String(value) };
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString("hex") };
  if (value instanceof Set) return Array.from(value);
  return value;
};

async function calls(file) {
  for (const [name, ...parameters] of JSON.parse(fs.readFileSync(file, "utf8"))) {
    let answer;
    try {
      answer = { value: await opposable[name](...parameters.map(given)) };
    } catch (error) {
      answer = error instanceof opposable.Bad ? { bad: error.message } : { crashed: error.stack };
    }
    process.stdout.write(`${JSON.stringify(answer, told)}\n`);
  }
}

if (rest[0] === "--calls") calls(rest[1]);
else cases(rest[0]);
