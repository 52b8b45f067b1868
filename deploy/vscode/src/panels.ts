// What the server draws: a page in a panel, and texts in documents that nobody can change.

import * as vscode from "vscode";
import { LanguageClient } from "vscode-languageclient/node";
import { RENDERED } from "./client";

const SCHEME = "tidegate";

/** Asks the server for something it draws; shows why where it cannot. */
export async function ask(client: LanguageClient | undefined, command: string, args: object): Promise<string | undefined> {
    if (client === undefined || !client.isRunning()) {
        void vscode.window.showWarningMessage("tidegate: the server does not run; `tidegate: Show the Log` says why.");
        return undefined;
    }
    try {
        return await client.sendRequest<string>("workspace/executeCommand", { command, arguments: [args] });
    } catch (error) {
        void vscode.window.showWarningMessage(`tidegate: ${(error as Error).message}`);
        return undefined;
    }
}

/** One panel with a page of the server's. */
export class Panel {
    private panel: vscode.WebviewPanel | undefined;

    show(title: string, page: string): void {
        const options = { enableScripts: true, retainContextWhenHidden: true, localResourceRoots: [] };
        this.panel ??= vscode.window.createWebviewPanel("tidegate.graph", title, vscode.ViewColumn.Beside, options);
        this.panel.onDidDispose(() => (this.panel = undefined));
        this.panel.title = title;
        // The page is whole in itself and asks for nothing; this keeps it so.
        const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
        const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
        this.panel.webview.html = page.replace(/<head>/i, `<head>${meta}`);
        this.panel.reveal(undefined, true);
    }
}

/** What commands of `tidegate.render` print, as the server has it. */
export class Rendered implements vscode.TextDocumentContentProvider {
    private readonly changed = new vscode.EventEmitter<vscode.Uri>();
    readonly onDidChange = this.changed.event;

    constructor(private readonly client: () => LanguageClient | undefined) {}

    async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
        const asked = { uri: uri.toString() };
        const content = await this.client()?.sendRequest<{ text: string }>("workspace/textDocumentContent", asked);
        return content?.text ?? "";
    }

    /** Heeds what a server says of them. */
    heed(client: LanguageClient): void {
        client.onRequest("workspace/textDocumentContent/refresh", ({ uri }: { uri: string }) => {
            this.changed.fire(vscode.Uri.parse(uri));
            return null;
        });
    }

    static register(context: vscode.ExtensionContext, client: () => LanguageClient | undefined): Rendered {
        const rendered = new Rendered(client);
        context.subscriptions.push(vscode.workspace.registerTextDocumentContentProvider(RENDERED, rendered));
        return rendered;
    }
}

/** Documents of the server's, by their address. */
export class Texts implements vscode.TextDocumentContentProvider {
    private readonly texts = new Map<string, string>();
    private readonly changed = new vscode.EventEmitter<vscode.Uri>();
    readonly onDidChange = this.changed.event;

    provideTextDocumentContent(uri: vscode.Uri): string {
        return this.texts.get(uri.toString()) ?? "";
    }

    async show(name: string, text: string, language?: string): Promise<void> {
        const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
        this.texts.set(uri.toString(), text);
        this.changed.fire(uri);
        const document = await vscode.workspace.openTextDocument(uri);
        if (language !== undefined) {
            await vscode.languages.setTextDocumentLanguage(document, language);
        }
        await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true });
    }

    static register(context: vscode.ExtensionContext): Texts {
        const texts = new Texts();
        context.subscriptions.push(vscode.workspace.registerTextDocumentContentProvider(SCHEME, texts));
        return texts;
    }
}
