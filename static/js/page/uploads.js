/* Files on their way to the server: with how far they have come, which `fetch` does not tell. */
import { connection } from "./connection.js";
import { NetworkError, ServerError } from "./errors.js";

/**
 * Posts a file; resolves to the server's answer. ServerError with its sentence, or NetworkError.
 *
 * @template [T=unknown]
 * @param {string} url
 * @param {Blob} body
 * @param {(share: number) => unknown} [onprogress] how much has been sent, 0 to 1
 * @returns {Promise<T>}
 */
export function sendFile(url, body, onprogress = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.upload.onprogress = ({ loaded, total }) => onprogress(loaded / (total || 1));
    request.onload = () =>
      request.status === 200
        ? resolve(JSON.parse(request.responseText))
        : reject(new ServerError(request.responseText, request.status));
    request.onerror = async (event) => reject(new NetworkError(event, await connection.isAway()));
    request.send(body);
  });
}
