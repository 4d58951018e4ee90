// MLLP by the libraries of Node.js: node mllp.cjs serve simple|medplum|server PORT [enhanced] [CODE]
//                                   node mllp.cjs send  simple|medplum|client HOST PORT [noack|enhanced|batch|file [ANSWERS]]
// The node-hl7 pair speaks TLS when KEY CERT CA follow the options.
// Messages to send come on standard input, parted by RS. The libraries are found by NODE_PATH.
const { readFileSync } = require("node:fs");

const [role, library, ...rest] = process.argv.slice(2);
const settled = () => process.exit(0);

const servers = {
  simple(port, ...options) {
    const app = require("simple-hl7").tcp();
    app.use((req, res) => {
      if (options[0]) res.ack.getSegment("MSA").setField(1, options[0]);
      res.end();
    });
    app.use((error, req, res, next) => {});
    app.start(Number(port));
  },
  medplum(port, ...options) {
    const { Hl7Server } = require("@medplum/hl7");
    const code = options.find((option) => option.length === 2) ?? "AA";
    new Hl7Server((connection) => connection.addEventListener("message", ({ message }) => {
      const answer = () => connection.send(message.buildAck({ ackCode: code }));
      if (options.includes("enhanced")) setTimeout(answer, 50); // medplum's client takes two frames in one read for one
      else if (!options.includes("noack")) answer();
    })).start(Number(port), "utf-8", options.includes("enhanced"));
  },
  server(port, ...options) {
    const { Server } = require("node-hl7-server");
    const [key, cert, ca] = options.slice(1).map((path) => readFileSync(path));
    new Server(key ? { tls: { key, cert, ca, requestCert: true, rejectUnauthorized: true } } : {}).createInbound({ port: Number(port) }, async (req, res) => res.sendResponse(options[0] ?? "AA"));
  },
};

const clients = {
  async simple(messages, host, port) {
    const hl7 = require("simple-hl7");
    const client = hl7.Server.createTcpClient({ host, port: Number(port), keepalive: true });
    for (const text of messages) {
      await new Promise((done, failed) => {
        client.send(new hl7.Parser({ segmentSeperator: "\r" }).parse(text), (error, ack) => (error ? failed(error) : done(ack)));
      });
    }
    client.close();
  },
  async medplum(messages, host, port, ...options) {
    const { Hl7Client, ReturnAckCategory } = require("@medplum/hl7");
    const { Hl7Message } = require(require.resolve("@medplum/core", { paths: [require.resolve("@medplum/hl7")] }));
    const client = new Hl7Client({ host, port: Number(port), keepAlive: true });
    for (const text of messages) {
      const message = Hl7Message.parse(text);
      if (options.includes("noack")) await client.send(message);
      else await client.sendAndWait(message, options.includes("enhanced") ? { returnAck: ReturnAckCategory.APPLICATION } : {});
      await new Promise((done) => setTimeout(done, 50));
    }
    await client.close();
  },
  async client(messages, host, port, ...options) {
    const { Batch, Client, FileBatch, Message } = require("node-hl7-client");
    const parcel = options.includes("file") ? new FileBatch({ text: messages[0] })
      : options.includes("batch") ? new Batch({ text: messages[0] }) : null;
    const parcels = parcel ? [parcel] : messages.map((text) => new Message({ text }));
    const [key, cert, ca] = options.slice(2).map((path) => readFileSync(path));
    const client = new Client(key ? { host, tls: { key, cert, ca, checkServerIdentity: () => undefined } } : { host });
    await new Promise((done, failed) => {
      let answers = 0;
      const connection = client.createConnection({ port: Number(port) }, async () => (++answers === wanted ? done() : next()));
      const wanted = parcel ? Number(options[1] ?? 1) : parcels.length;
      const next = () => (parcels.length ? connection.sendMessage(parcels.shift()).catch(failed) : null);
      connection.on("error", failed);
      connection.once("connect", next);
    });
    setTimeout(settled, 200);
  },
};

if (role === "serve") {
  servers[library](...rest);
} else {
  const messages = readFileSync(0, "utf-8").split("\x1e");
  clients[library](messages, ...rest).then(() => (library === "client" ? null : settled()), (error) => {
    console.error(error);
    process.exit(1);
  });
}
