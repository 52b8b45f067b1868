// Starts the server, and gives its answers a place in the editor.

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";
import { client as connect } from "./client";
import { Panel, Rendered, Texts, ask } from "./panels";
import { fault, program } from "./program";
import { Written, suppress } from "./suppress";
import * as tests from "./tests";

let client: LanguageClient | undefined;
let rendered: Rendered | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
    const output = vscode.window.createOutputChannel("tidegate");
    const [graph, texts] = [new Panel(), Texts.register(context)];
    rendered = Rendered.register(context, () => client);
    context.subscriptions.push(output);

    const command = (name: string, act: (...args: never[]) => unknown) =>
        context.subscriptions.push(vscode.commands.registerCommand(name, act));
    command("tidegate.showLog", () => output.show());
    command("tidegate.restart", () => start(context, output));
    command("tidegate.showGraph", async () => {
        const page = await ask(client, "tidegate.server.graph", {});
        if (page !== undefined) {
            graph.show("Who reaches whom", page);
        }
    });
    command("tidegate.showReach", async (subject?: string) => {
        const pod = subject ?? (await vscode.window.showInputBox({ prompt: "A pod, as namespace/name" }));
        const page = pod === undefined ? undefined : await ask(client, "tidegate.server.graph", { to: pod });
        if (page !== undefined) {
            graph.show(`Who can reach ${pod}`, page);
        }
    });
    const draws: [string, string, string][] = [
        ["tidegate.showDiagram", "tidegate.server.decision", "decision"],
        ["tidegate.showBytecode", "tidegate.server.bytecode", "program"],
    ];
    for (const [name, asked, what] of draws) {
        command(name, async (subject?: string) => {
            const pod = subject ?? (await vscode.window.showInputBox({ prompt: "A pod, as namespace/name" }));
            const text = pod === undefined ? undefined : await ask(client, asked, { subject: pod });
            if (text !== undefined) {
                await texts.show(`${what} of ${pod}.txt`, text);
            }
        });
    }
    command("tidegate.trace", async () => {
        const flow = await vscode.window.showInputBox({
            prompt: "A flow: from, to, port",
            placeHolder: "shop/web shop/db tcp/5432",
        });
        const [from, to, port] = flow?.trim().split(/\s+/) ?? [];
        const text = from && to ? await ask(client, "tidegate.server.trace", { from, to, port }) : undefined;
        if (text !== undefined) {
            await texts.show(`${from} to ${to}.txt`, text);
        }
    });
    command("tidegate.showCost", async () => {
        const text = await ask(client, "tidegate.server.cost", {});
        if (text !== undefined) {
            await texts.show("what policies cost.txt", text);
        }
    });
    command("tidegate.explain", async (code?: string) => {
        const name = code ?? (await vscode.window.showInputBox({ prompt: "A code", placeHolder: "TG0012" }));
        const page = name === undefined ? undefined : await ask(client, "tidegate.server.explain", { code: name });
        if (page !== undefined) {
            await texts.show(`${name}.md`, page, "markdown");
        }
    });
    command("tidegate.suppress", (edit: Written, placeholder: string) => suppress(client, edit, placeholder));
    tests.register(context, () => program(context));
    context.subscriptions.push(
        vscode.workspace.onDidChangeConfiguration((event) => {
            if (event.affectsConfiguration("tidegate.path") || event.affectsConfiguration("tidegate.arguments")) {
                void start(context, output);
            }
        }),
    );
    await start(context, output);
}

export async function deactivate(): Promise<void> {
    await client?.stop();
}

/** Starts the server, after it was stopped where it runs. */
async function start(context: vscode.ExtensionContext, output: vscode.OutputChannel): Promise<void> {
    const before = client;
    client = undefined;
    await before?.dispose();
    const path = program(context);
    const why = await fault(path);
    if (why !== undefined) {
        output.appendLine(why);
        const open = "Open the setting";
        if ((await vscode.window.showErrorMessage(why, open)) === open) {
            await vscode.commands.executeCommand("workbench.action.openSettings", "tidegate.path");
        }
        return;
    }
    client = connect(path, output);
    rendered?.heed(client);
    await client.start();
    await vscode.commands.executeCommand("setContext", "tidegate.ready", true);
}
