/** The API's documentation, by Swagger UI from an installed package: it works with no internet. */

window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#main", deepLinking: true, tryItOutEnabled: true });
