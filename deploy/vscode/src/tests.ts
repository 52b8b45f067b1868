// Documents of kind PolicyTest in the Test Explorer: found by their kind, listed and run by `tidegate test`.

import { execFile } from "node:child_process";
import { dirname } from "node:path";
import * as vscode from "vscode";

const FILES = "**/*.{yaml,yml}";
const KIND = /^kind:\s*PolicyTest\s*$/m;

/** A line of `tidegate test --list`. */
const CASE = /:(\d+):(\d+): (.*)$/;

/** What `tidegate test -o json` writes, as far as it is shown. */
interface Report {
    suites: { name: string; cases: Case[] }[];
}

interface Case {
    name: string;
    place: { line: number; column: number };
    failures: { source: string; destination: string; port: string; expected: string; found: string }[];
}

/** Registers the tests of the workspace. */
export function register(context: vscode.ExtensionContext, path: () => string): void {
    const controller = vscode.tests.createTestController("tidegate", "tidegate");
    context.subscriptions.push(controller);
    controller.resolveHandler = async (item) => {
        if (item === undefined) {
            for (const uri of await vscode.workspace.findFiles(FILES, "**/node_modules/**")) {
                await add(controller, uri, path());
            }
        }
    };
    const watcher = vscode.workspace.createFileSystemWatcher(FILES);
    watcher.onDidCreate((uri) => add(controller, uri, path()));
    watcher.onDidChange((uri) => add(controller, uri, path()));
    watcher.onDidDelete((uri) => controller.items.delete(uri.toString()));
    context.subscriptions.push(watcher);
    const handler = (request: vscode.TestRunRequest, token: vscode.CancellationToken) =>
        runAll(controller, request, token, path());
    controller.createRunProfile("Run", vscode.TestRunProfileKind.Run, handler, true);
}

async function add(controller: vscode.TestController, uri: vscode.Uri, path: string): Promise<void> {
    const text = Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8");
    if (!KIND.test(text)) {
        controller.items.delete(uri.toString());
        return;
    }
    const item = controller.createTestItem(uri.toString(), vscode.workspace.asRelativePath(uri), uri);
    const { out, err } = await start(path, ["test", uri.fsPath, "--list"], dirname(uri.fsPath));
    for (const line of out.split("\n")) {
        const at = CASE.exec(line);
        if (at !== null) {
            item.children.add(place(controller, uri, at[3], Number(at[1]), Number(at[2])));
        }
    }
    item.error = err.trim() === "" ? undefined : err.trim();
    controller.items.add(item);
}

/** A case at a line and a column, counted from 1. */
function place(
    controller: vscode.TestController,
    uri: vscode.Uri,
    name: string,
    line: number,
    column: number,
): vscode.TestItem {
    const item = controller.createTestItem(`${uri}#${name}`, name, uri);
    const at = new vscode.Position(Math.max(0, line - 1), Math.max(0, column - 1));
    item.range = new vscode.Range(at, at);
    return item;
}

async function runAll(
    controller: vscode.TestController,
    request: vscode.TestRunRequest,
    token: vscode.CancellationToken,
    path: string,
): Promise<void> {
    const run = controller.createTestRun(request);
    const wanted = request.include ?? [...controller.items].map(([, item]) => item);
    // A case runs with its file, once however many of its cases are wanted.
    const items = new Set(wanted.map((item) => item.parent ?? item));
    for (const item of items) {
        if (token.isCancellationRequested) {
            run.skipped(item);
        } else if (item.uri !== undefined) {
            run.started(item);
            await runOne(controller, run, item, item.uri, path);
        }
    }
    run.end();
}

async function runOne(
    controller: vscode.TestController,
    run: vscode.TestRun,
    item: vscode.TestItem,
    uri: vscode.Uri,
    path: string,
): Promise<void> {
    const began = Date.now();
    const { code, out, err } = await start(path, ["test", uri.fsPath, "-o", "json"], dirname(uri.fsPath));
    let report: Report;
    try {
        report = JSON.parse(out) as Report;
    } catch {
        run.errored(item, new vscode.TestMessage(err.trim() === "" ? `tidegate ended with ${code}` : err.trim()));
        return;
    }
    const failed: string[] = [];
    item.children.replace([]);
    for (const suite of report.suites) {
        for (const one of suite.cases) {
            const name = suite.name === "" ? one.name : `${suite.name}: ${one.name}`;
            const child = place(controller, uri, name, one.place.line, one.place.column);
            item.children.add(child);
            const told = one.failures.map(
                (it) => `${it.source} -> ${it.destination} ${it.port}: ${it.found}, and not ${it.expected}`,
            );
            if (told.length === 0) {
                run.passed(child);
            } else {
                failed.push(...told);
                run.failed(child, told.map((it) => new vscode.TestMessage(it)));
            }
        }
    }
    run.appendOutput(err.replace(/\r?\n/g, "\r\n"), undefined, item);
    if (failed.length === 0 && code === 0) {
        run.passed(item, Date.now() - began);
    } else {
        run.failed(item, failed.map((it) => new vscode.TestMessage(it)), Date.now() - began);
    }
}

function start(path: string, args: string[], cwd: string): Promise<{ code: number; out: string; err: string }> {
    return new Promise((done) => {
        execFile(path, args, { cwd, maxBuffer: 64 << 20 }, (error, out, err) => {
            const code = typeof error?.code === "number" ? error.code : error === null ? 0 : 2;
            done({ code, out, err: err === "" && error !== null && typeof error.code !== "number" ? error.message : err });
        });
    });
}
