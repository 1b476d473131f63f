import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { countries } from "./build/countries.ts";

const apiOrigin = process.env["AIRLEDGER_API"] ?? "http://127.0.0.1:8787";

export default defineConfig({
  plugins: [react(), countries()],
  base: "/",
  build: {
    outDir: "../src/airledger/api/page",
    emptyOutDir: true,
    target: "es2022",
    // Our content security policy has no data: for scripts or fonts, so nothing is inlined.
    assetsInlineLimit: 0,
    // The globe and the HLS reader are chunks of their own, loaded when they are first needed.
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      output: {
        // Not every server knows that .mjs is JavaScript, and a worker of another type is refused.
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".mjs"))
            ? "assets/[name]-[hash].js"
            : "assets/[name]-[hash][extname]",
      },
    },
  },
  server: { proxy: { "/api": apiOrigin, "/demo": apiOrigin } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
