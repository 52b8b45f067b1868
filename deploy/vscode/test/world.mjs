// A small workspace: two pods, a policy with a slip of the pen, and a test of it.

/** The policy names a label that no pod has. */
export const POLICY = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: webb}}}]
    ports: [{port: 5432}]
`;

/** The pods. */
export const WORLD = ["db", "web"]
    .map((app) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${app}, namespace: shop, labels: {app: ${app}}}\n`)
    .join("---\n");

/** One case holds once the policy is mended, the other never does. */
export const TEST = `apiVersion: tidegate.io/v1alpha1
kind: PolicyTest
metadata: {name: db}
namespace: shop
policies: [world.yaml, policy.yaml]
facts: all
cases:
- {name: the web pod asks, from: web, to: db, port: 5432, expect: allow}
- {name: nobody asks, from: web, to: db, port: 5432, expect: deny}
`;
