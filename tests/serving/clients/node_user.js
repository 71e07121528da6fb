// What a user of gRPC's client for Node does with a server: node_user.js HOST:PORT DESCRIPTORS. Answers as JSON.
"use strict";

const fs = require("fs");
const path = require("path");
const packages = path.join(process.cwd(), "node_modules");
const grpc = require(path.join(packages, "@grpc/grpc-js"));
const loader = require(path.join(packages, "@grpc/proto-loader"));

const [target, descriptors] = process.argv.slice(2);
const definition = loader.loadFileDescriptorSetFromBuffer(fs.readFileSync(descriptors), { keepCase: true, longs: Number, enums: String });
const api = grpc.loadPackageDefinition(definition);
const room = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
const plain = grpc.credentials.createInsecure();
const predictions = new api.tensorflow.serving.PredictionService(target, plain, room);
const zipped = new api.tensorflow.serving.PredictionService(target, plain, {
  "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip,
});
const models = new api.tensorflow.serving.ModelService(target, plain);
const health = new api.grpc.health.v1.Health(target, plain);

function call(client, method, request, milliseconds = 60_000) {
  return new Promise((resolve) => {
    client[method](request, { deadline: Date.now() + milliseconds }, (error, answer) => {
      resolve(error === null ? answer : `${grpc.status[error.code]}: ${error.details}`);
    });
  });
}

function asked(values, name = "half_plus_two") {
  const content = Buffer.from(Float32Array.from(values).buffer);
  const shape = { dim: [{ size: values.length }] };
  const value = { dtype: "DT_FLOAT", tensor_shape: shape, tensor_content: content };
  return { model_spec: { name }, inputs: [{ key: "x", value }] }; // the loader reads a map of descriptors as its entries
}

function numbers(answer) {
  if (typeof answer === "string") throw new Error(answer);
  const { tensor_content: bytes = [], float_val: values } = answer.outputs[0].value;
  return bytes.length ? Array.from(new Float32Array(new Uint8Array(bytes).buffer)) : values;
}

async function main() {
  const large = Array.from({ length: 2 << 20 }, (_, number) => number % 4096);
  const burst = await Promise.all(Array.from({ length: 500 }, (_, number) => call(predictions, "Predict", asked([number]))));
  const back = numbers(await call(predictions, "Predict", asked(large)));
  return {
    plain: numbers(await call(predictions, "Predict", asked([1, 2]))),
    gzip: numbers(await call(zipped, "Predict", asked(new Array(1000).fill(1)))).length,
    at_once: burst.every((answer, number) => typeof answer === "object" && numbers(answer)[0] === 2 + number / 2),
    large: back.length === large.length && back.every((value, number) => value === 2 + large[number] / 2),
    codes: [
      (await call(predictions, "Predict", asked([1], "nobody"))).split(":")[0],
      (await call(predictions, "Predict", asked(large), 1)).split(":")[0],
    ],
    status: (await call(models, "GetModelStatus", { model_spec: { name: "half_plus_two" } })).model_version_status.map(
      (version) => [version.version, version.state],
    ),
    health: (await call(health, "Check", {})).status,
  };
}

main().then((found) => {
  process.stdout.write(JSON.stringify(found));
  [predictions, zipped, models, health].forEach((client) => client.close());
});
