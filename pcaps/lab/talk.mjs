// A TLS server or client of Node.js: node talk.mjs serve|call HOST PORT GROUPS [KEY CERT]
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:tls";

const [role, host, port, groups, key, cert] = process.argv.slice(2);
const common = { minVersion: "TLSv1.3", ecdhCurve: groups };

if (role === "serve") {
  const own = { key: readFileSync(key), cert: readFileSync(cert) };
  createServer({ ...common, ...own }, (peer) => peer.on("data", (line) => peer.end(line)).on("error", () => {}))
    .listen(Number(port), host);
} else {
  const peer = connect({ ...common, host, port: Number(port), rejectUnauthorized: false,
                         servername: "analyser.lab.hospital.example" }, () => peer.write("invented line\n"));
  peer.on("data", () => peer.end()).on("error", () => process.exit(1)).on("close", () => process.exit(0));
}
