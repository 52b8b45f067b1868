// Both servers of YAML over the same documents: what one says of a line, the other does not say again.
//
//     node test/beside.mjs PROGRAM

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Session } from "./session.mjs";

const [program = "tidegate"] = process.argv.slice(2);
const other = createRequire(import.meta.url).resolve("yaml-language-server/package.json");
const yaml = join(dirname(other), "bin/yaml-language-server");

const head = (name) => `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec:\n`;
/** By name: a text, and who has something to say of it. */
const TEXTS = {
    "unclosed.yaml": [`${head("unclosed")}  podSelector: {matchLabels: {app: db}\n`, "yaml"],
    "tab.yaml": [`${head("tab")}  podSelector:\n\t  matchLabels: {}\n`, "yaml"],
    "twice.yaml": [`${head("twice")}  podSelector: {}\n  podSelector: {}\n`, "yaml"],
    "wrong.yaml": [`${head("wrong")}  podSelector: {}\n  ingres: []\n  ingress: [{ports: [{port: 0}]}]\n`, "tidegate"],
    "fine.yaml": [`${head("fine")}  podSelector: {}\n`, "nobody"],
};

/** What a server says of each document, once nothing more comes. */
async function told(program, settings, args) {
    const session = await Session.start(program, {}, settings, args);
    let found = {};
    for (const [name, [text]] of Object.entries(TEXTS)) {
        await session.open(name, text);
        await new Promise((done) => setTimeout(done, 2000));
        found[name] = session.published.get(session.uri(name))?.diagnostics ?? [];
    }
    await session.end();
    return found;
}

const us = await told(program, { tidegate: { besideYamlLanguageServer: true } });
const settings = { yaml: { validate: true, schemaStore: { enable: false } } };
const them = await told(process.execPath, settings, [yaml, "--stdio"]);
for (const [name, [, who]] of Object.entries(TEXTS)) {
    const lines = (all) => new Set(all.map((it) => it.range.start.line));
    const both = [...lines(us[name])].filter((line) => lines(them[name]).has(line));
    const said = JSON.stringify([us[name], them[name]], undefined, 1);
    assert.deepEqual(both, [], `${name}: both say something of these lines: ${said}`);
    assert.equal(us[name].length > 0, who === "tidegate", `${name}: ${said}`);
    assert.equal(them[name].length > 0, who === "yaml", `${name}: ${said}`);
}
console.log(`beside: ${Object.keys(TEXTS).length} documents, nothing is said twice`);
