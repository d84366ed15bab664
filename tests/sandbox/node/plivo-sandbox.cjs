// node --require=./plivo-sandbox.cjs program.js
const axios = require(require.resolve("axios", { paths: [require.resolve("plivo")] }));
const send = axios.getAdapter(axios.defaults.adapter);
const HOSTS = /^https:\/\/(api|lookup|phlorunner)\.plivo\.com/;
axios.defaults.adapter = (config) =>
  send({ ...config, url: config.url.replace(HOSTS, process.env.PLIVO_SANDBOX) });
