// Answers questions with code that is not ours. A question is one line of standard input, a JSON
// array of texts: its name, then its arguments. An answer is one line as well: ["answered", text],
// or ["refused", why]. Bytes are base64.

import { createPublicKey } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import canonicalize from "canonicalize";

// Neither has a public name in @sigstore/verify; the lock pins the release.
const require = createRequire(import.meta.url);
const { verifyCheckpoint } = require("@sigstore/verify/dist/tlog/checkpoint.js");
const { verifyMerkleInclusion } = require("@sigstore/verify/dist/tlog/merkle.js");

const bytes = (text) => Buffer.from(text, "base64");
const text = (data) => Buffer.from(data).toString("base64");

const questions = {
  // C2SP age.md
  "age recipient": (identity) => identityToRecipient(identity),
  "age seal": async (recipient, plain) => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return text(await encrypter.encrypt(bytes(plain)));
  },
  "age open": async (identity, sealed) => {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return text(await decrypter.decrypt(bytes(sealed)));
  },

  // RFC 8259, then RFC 8785
  "json canonical": (document) => {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return text(canonicalize(JSON.parse(decoder.decode(bytes(document)))));
  },

  // C2SP tlog-checkpoint, then RFC 6962 section 2.1.1
  "log checkpoint": (note, log) => JSON.stringify(shown(verifyCheckpoint(proven(note), [trusted(log)]))),
  "log inclusion": (note, log, entry, index, ...hashes) => {
    const proof = proven(note, { entry, index, hashes });
    verifyMerkleInclusion(proof, verifyCheckpoint(proof, [trusted(log)]));
    return "included";
  },
};

const proven = (note, { entry = "", index = "0", hashes = [] } = {}) => ({
  canonicalizedBody: bytes(entry),
  inclusionProof: { checkpoint: { envelope: note }, logIndex: index, hashes: hashes.map(bytes) },
});

// A C2SP verifier key: name+id+key, of which the key is a type byte and 32 bytes of Ed25519.
function trusted(log) {
  const [, name, id, key] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(log);
  const x = bytes(key).subarray(1).toString("base64url");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return { baseURL: name, logID: Buffer.from(id, "hex"), publicKey };
}

const shown = ({ origin, logSize, logHash }) => ({ origin, size: String(logSize), root: text(logHash) });

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  const answer = await Promise.resolve(given)
    .then((values) => questions[name](...values))
    .then((found) => ["answered", found], (error) => ["refused", String(error)]);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
