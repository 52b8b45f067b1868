// Drives `tidegate lsp` with the protocol libraries that editors are built on: open, edit, broken text, completion, hover, action,
// cancellation, and a session of random edits whose last diagnostics equal those of a fresh one.
//
//     node test/protocol.mjs PROGRAM [EDITS]

import assert from "node:assert/strict";
import { Session, lsp, range, rpc } from "./session.mjs";
import { POLICY, WORLD } from "./world.mjs";

const [program = "tidegate", edits = "10000"] = process.argv.slice(2);

const codes = (all) => all.map((it) => `${it.range.start.line}:${it.range.start.character} ${it.code}`).sort();

async function features() {
    const it = await Session.start(program, { "world.yaml": WORLD, "policy.yaml": POLICY });
    await it.open("policy.yaml", POLICY);
    const found = await it.shown("policy.yaml", 1);
    assert.ok(found.some((one) => one.code === "TG0012"), JSON.stringify(found));
    const hover = await it.ask(lsp.HoverRequest.type, "policy.yaml", 4, 36);
    assert.match(hover.contents.value, /shop\/db|1 pod/);
    const actions = await it.connection.sendRequest(lsp.CodeActionRequest.type, {
        textDocument: { uri: it.uri("policy.yaml") },
        range: range(0, 0, 8, 0),
        context: { diagnostics: found },
    });
    assert.ok(actions.some((one) => JSON.stringify(one.edit ?? {}).includes('"web"')), JSON.stringify(actions));
    await it.edit("policy.yaml", 2, range(8, 0, 8, 0), "  egr");
    const list = await it.ask(lsp.CompletionRequest.type, "policy.yaml", 8, 5);
    assert.ok(list.items.some((one) => one.label === "egress"), JSON.stringify(list.items.map((one) => one.label)));
    await it.edit("policy.yaml", 3, range(4, 2, 4, 13), "podSelector: [");
    assert.ok((await it.shown("policy.yaml", 3)).some((one) => one.code === "TG0002"));
    const cancel = new rpc.CancellationTokenSource();
    const asked = it.ask(lsp.HoverRequest.type, "policy.yaml", 2, 4, cancel.token);
    cancel.cancel();
    const ended = await asked.then(() => 0, (error) => error.code);
    assert.ok([0, -32800, -32801].includes(ended), String(ended));
    await it.end();
    console.log(`features: as they should be\n${it.stats}`);
}

async function random() {
    let seed = 7n;
    const below = (end) => {
        seed = (seed * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
        return Number((seed >> 33n) % BigInt(end));
    };
    const words = ["\n", "  ", "- ", ": ", "{", "}", "[", "]", '"', "podSelector:", "ingress:", "app: db", "---\n", "é😀"];
    const it = await Session.start(program, { "world.yaml": WORLD });
    await it.open("policy.yaml", POLICY);
    let text = POLICY;
    const count = Number(edits);
    for (let version = 2; version <= count; version++) {
        const at = (offset) => {
            const before = text.slice(0, offset).split("\n");
            return { line: before.length - 1, character: before.at(-1).length };
        };
        let from = below(text.length + 1);
        let to = Math.min(text.length, from + below(6));
        // Never between the halves of a pair.
        const half = (offset) => /[\udc00-\udfff]/.test(text[offset] ?? "");
        from -= half(from) ? 1 : 0;
        to += half(to) ? 1 : 0;
        const word = text.length > 2 * POLICY.length ? "" : words[below(words.length)];
        await it.edit("policy.yaml", version, { start: at(from), end: at(to) }, word);
        text = text.slice(0, from) + word + text.slice(to);
    }
    const last = codes(await it.shown("policy.yaml", count));
    await it.end();
    const fresh = await Session.start(program, { "world.yaml": WORLD });
    await fresh.open("policy.yaml", text);
    assert.deepEqual(last, codes(await fresh.shown("policy.yaml", 1)));
    await fresh.end();
    console.log(`random: ${count} edits, ${last.length} diagnostics as in a fresh session\n${it.stats}`);
}

await features();
await random();
