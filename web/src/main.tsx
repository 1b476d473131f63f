import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/request";
import { App } from "./app/App";
import { startTheme } from "./app/theme";
import { Wall } from "./frame/Trouble";
import "./styles/index.css";
import { texts } from "./texts";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // A refusal stays a refusal; only what may pass by itself is tried again.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof Problem && error.status >= 400 && error.status < 500),
    },
  },
});

startTheme();
document.documentElement.lang = texts.meta.lang;
document.documentElement.dir = texts.meta.dir;

const place = document.getElementById("page");
if (place === null) throw new Error("index.html has no element with the id 'page'");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Wall>
        <App />
      </Wall>
    </QueryClientProvider>
  </StrictMode>,
);
