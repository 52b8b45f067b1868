// One session with `tidegate lsp`, by the protocol libraries that editors are built on.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(import.meta.url);
export const rpc = require("vscode-jsonrpc/node");
export const lsp = require("vscode-languageserver-protocol");

export const range = (a, b, c, d) => ({ start: { line: a, character: b }, end: { line: c, character: d } });

export class Session {
    /** A session over files; `settings` are what is asked for by section, `args` those of another server than ours. */
    static async start(program, files, settings = {}, args = ["lsp", "--stats"]) {
        const folder = mkdtempSync(join(tmpdir(), "tidegate-"));
        for (const [name, text] of Object.entries(files)) {
            mkdirSync(dirname(join(folder, name)), { recursive: true });
            writeFileSync(join(folder, name), text);
        }
        const server = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
        const it = new Session();
        it.folder = folder;
        it.stats = "";
        server.stderr.on("data", (text) => (it.stats += text));
        it.ended = new Promise((done) => server.on("exit", done));
        it.published = new Map();
        it.waiting = [];
        it.connection = rpc.createMessageConnection(
            new rpc.StreamMessageReader(server.stdout),
            new rpc.StreamMessageWriter(server.stdin),
        );
        it.connection.onNotification(lsp.PublishDiagnosticsNotification.type, (told) => it.told(told));
        it.connection.onRequest("client/registerCapability", () => null);
        it.connection.onRequest("workspace/configuration", (asked) =>
            asked.items.map(({ section }) => settings[section] ?? {}),
        );
        it.connection.listen();
        const uri = pathToFileURL(folder).toString();
        it.capabilities = (
            await it.connection.sendRequest(lsp.InitializeRequest.type, {
                processId: process.pid,
                rootUri: uri,
                workspaceFolders: [{ uri, name: "folder" }],
                capabilities: {
                    workspace: { configuration: true, didChangeWatchedFiles: { dynamicRegistration: true } },
                    textDocument: {
                        completion: { completionItem: { snippetSupport: true } },
                        codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ["quickfix"] } } },
                        publishDiagnostics: { relatedInformation: true, versionSupport: true },
                    },
                },
            })
        ).capabilities;
        await it.connection.sendNotification(lsp.InitializedNotification.type, {});
        return it;
    }

    uri(name) {
        return pathToFileURL(join(this.folder, name)).toString();
    }

    told({ uri, version, diagnostics }) {
        this.published.set(uri, { version, diagnostics });
        this.waiting = this.waiting.filter((wait) => !wait());
    }

    /** The diagnostics of a document in a version. */
    shown(name, version) {
        const uri = this.uri(name);
        return new Promise((done) => {
            const wait = () => {
                const it = this.published.get(uri);
                if (it?.version === version) {
                    done(it.diagnostics);
                    return true;
                }
                return false;
            };
            if (!wait()) {
                this.waiting.push(wait);
            }
        });
    }

    open(name, text) {
        const textDocument = { uri: this.uri(name), languageId: "yaml", version: 1, text };
        return this.connection.sendNotification(lsp.DidOpenTextDocumentNotification.type, { textDocument });
    }

    edit(name, version, range, text) {
        return this.connection.sendNotification(lsp.DidChangeTextDocumentNotification.type, {
            textDocument: { uri: this.uri(name), version },
            contentChanges: [{ range, text }],
        });
    }

    ask(type, name, line, character, token) {
        const asked = { textDocument: { uri: this.uri(name) }, position: { line, character } };
        return this.connection.sendRequest(type, asked, token);
    }

    async end() {
        await this.connection.sendRequest(lsp.ShutdownRequest.type);
        await this.connection.sendNotification(lsp.ExitNotification.type);
        assert.equal(await this.ended, 0);
    }
}
