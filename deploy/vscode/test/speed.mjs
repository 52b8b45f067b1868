// How fast `tidegate lsp` is in a workspace of 2,000 policies and 5,000 pods: what is typed is a rule of one policy.
//
//     node test/speed.mjs PROGRAM [POLICIES] [PODS]

import { Session, lsp, range } from "./session.mjs";

const [program = "tidegate", policies = "2000", pods = "5000"] = process.argv.slice(2);
const [many, crowd] = [Number(policies), Number(pods)];
const NAMESPACES = 50;

function policy(at) {
    const app = `app-${at % (crowd / 10)}`;
    return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: policy-${at}, namespace: ns-${at % NAMESPACES}}
spec:
  podSelector: {matchLabels: {app: ${app}}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {tier: tier-${at % 7}}}}]
    ports: [{port: ${8000 + (at % 20)}}]
`;
}

function pod(at) {
    const app = at % (crowd / 10);
    return `apiVersion: v1
kind: Pod
metadata: {name: pod-${at}, namespace: ns-${app % NAMESPACES}, labels: {app: app-${app}, tier: tier-${at % 7}}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {podIP: 10.${at >> 16}.${(at >> 8) & 255}.${at & 255}}
`;
}

const files = {};
for (let at = 0; at < many; at++) {
    files[`policies/${at}.yaml`] = policy(at);
}
for (let at = 0; at < crowd; at += 100) {
    files[`pods/${at}.yaml`] = Array.from({ length: 100 }, (_, more) => pod(at + more)).join("---\n");
}

const it = await Session.start(program, files);
const name = "policies/7.yaml";
await it.open(name, policy(7));
await it.shown(name, 1);
let version = 1;
for (let round = 0; round < 200; round++) {
    const typed = round % 2 === 0 ? "  - from: [{podSelector: {matchLabels: {tier: tier-1}}}]\n" : "";
    const old = round % 2 === 0 ? range(9, 0, 9, 0) : range(9, 0, 10, 0);
    await it.edit(name, ++version, old, typed);
    await it.shown(name, version);
    await it.ask(lsp.CompletionRequest.type, name, 7, 50);
    await it.ask(lsp.HoverRequest.type, name, 4, 34);
}
await it.end();
console.log(`${many} policies, ${crowd} pods\n${it.stats}`);
