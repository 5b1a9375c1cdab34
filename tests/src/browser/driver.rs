//! Headless Chromium through chromedriver, by the W3C protocol and Chromium's own extensions to it. The protocol is JSON
//! over HTTP, and the suites have an HTTP client already: what they need of it fits on this page.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::cloud::http::Http;

/// How to get what is missing, in the words of the distribution that CI runs.
const INSTALL: &str = "the browser suite needs chromium and chromedriver on the PATH: \
    `apt-get install chromium chromium-driver` (.ci/run does it)";
/// The member that marks an element in the protocol's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A browser that has not answered by then never will; it decides no test.
const PATIENCE: Duration = Duration::from_secs(200);

/// One browser with one window and a profile of its own. Its end ends the processes it started.
pub struct Browser {
    http: Http,
    /// `http://127.0.0.1:port/session/id`
    session: String,
    driver: Child,
    profile: PathBuf,
}

/// An element of the page as it is loaded now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element(String);

/// How the page is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    pub width: u32,
    pub dark: bool,
}

impl Look {
    pub const LIGHT: Self = Self { width: 1100, dark: false };
    pub const DARK: Self = Self { width: 1100, dark: true };
    /// The narrowest screen WCAG asks to reflow for.
    pub const NARROW: Self = Self { width: 320, dark: false };
    pub const NARROW_DARK: Self = Self { width: 320, dark: true };
    pub const ALL: [Self; 4] = [Self::LIGHT, Self::DARK, Self::NARROW, Self::NARROW_DARK];
}

fn found(program: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.find(|place| place.is_file()).ok_or_else(|| format!("{program} is not there: {INSTALL}"))
}

impl Browser {
    pub async fn start() -> Result<Self, String> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let (chromium, chromedriver) = (found("chromium")?, found("chromedriver")?);
        let which = format!("holdpoint-browser-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
        let profile = std::env::temp_dir().join(which);
        std::fs::create_dir_all(&profile).map_err(|error| format!("{}: {error}", profile.display()))?;
        let mut command = Command::new(&chromedriver);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().map_err(|error| format!("{}: {error}", chromedriver.display()))?;
        let port = match port(&mut driver) {
            Ok(port) => port,
            Err(why) => {
                let _ = driver.kill();
                return Err(why);
            }
        };
        let mut browser = Self { http: Http::default(), session: format!("http://127.0.0.1:{port}"), driver, profile };
        let directory = format!("--user-data-dir={}", browser.profile.display());
        let mut flags = vec!["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"];
        flags.extend(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        flags.extend(["--no-first-run", "--no-sandbox", "--window-size=1300,1300", &directory]);
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "binary": chromium, "args": flags },
        } } });
        let made = browser.ask(Method::POST, "/session", &wanted).await?;
        let id = made["sessionId"].as_str().ok_or("chromedriver made no session")?;
        browser.session = format!("{}/session/{id}", browser.session);
        browser.post("/timeouts", json!({ "script": 60_000 })).await?;
        Ok(browser)
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == Method::POST { body.to_string().into_bytes() } else { Vec::new() };
        let doing = format!("{method} {path}");
        let request = Request::builder().method(method).uri(format!("{}{path}", self.session));
        let request = request.header("content-type", "application/json").body(body);
        let sent = self.http.send(request.map_err(|error| format!("{doing}: {error}"))?);
        let response = tokio::time::timeout(PATIENCE, sent).await.map_err(|_| format!("{doing}: no answer"))??;
        let mut answer: Value = serde_json::from_slice(response.body()).map_err(|error| format!("{doing}: {error}"))?;
        match response.status().is_success() {
            true => Ok(answer["value"].take()),
            false => Err(format!("{doing}: {}", answer["value"]["message"].as_str().unwrap_or_default())),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        self.ask(Method::POST, path, &body).await
    }

    /// Chromium's own protocol, for what WebDriver has no word for.
    async fn chromium(&self, command: &str, parameters: Value) -> Result<Value, String> {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Back when the page is loaded.
    pub async fn open(&self, url: &str) -> Result<(), String> {
        self.post("/url", json!({ "url": url })).await.map(drop)
    }

    /// A page of this text alone, from no server.
    pub async fn show(&self, html: &str) -> Result<(), String> {
        self.open("about:blank").await?;
        let tree = self.chromium("Page.getFrameTree", json!({})).await?;
        let frame = &tree["frameTree"]["frame"]["id"];
        self.chromium("Page.setDocumentContent", json!({ "frameId": frame, "html": html })).await.map(drop)
    }

    pub async fn url(&self) -> Result<String, String> {
        let url = self.ask(Method::GET, "/url", &Value::Null).await?;
        url.as_str().map(str::to_owned).ok_or_else(|| "no address".to_owned())
    }

    pub async fn all(&self, selector: &str) -> Result<Vec<Element>, String> {
        let answer = self.post("/elements", json!({ "using": "css selector", "value": selector })).await?;
        let found = answer.as_array().into_iter().flatten();
        Ok(found.filter_map(|element| element[ELEMENT].as_str()).map(|id| Element(id.to_owned())).collect())
    }

    /// The first such element, or a reason with what the page says instead.
    pub async fn one(&self, selector: &str) -> Result<Element, String> {
        match self.all(selector).await?.into_iter().next() {
            Some(element) => Ok(element),
            None => Err(format!("no {selector} on the page that says: {}", self.text("body").await?)),
        }
    }

    pub async fn click(&self, selector: &str) -> Result<(), String> {
        let element = self.one(selector).await?;
        self.press_on(&element).await
    }

    pub async fn press_on(&self, Element(id): &Element) -> Result<(), String> {
        // The driver's own scrolling is not waited for, and the press would miss.
        let script = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.post("/execute/sync", json!({ "script": script, "args": [{ ELEMENT: id }] })).await?;
        self.post(&format!("/element/{id}/click"), json!({})).await.map(drop)
    }

    /// Presses what leads to another page, and is back when that is loaded.
    pub async fn leave_by(&self, selector: &str) -> Result<(), String> {
        let left = self.one("html").await?;
        self.click(selector).await?;
        self.turned(&left).await
    }

    /// Sends the page's form past the browser's own checks, and is back when the answer is loaded.
    pub async fn send_form(&self) -> Result<(), String> {
        let left = self.one("html").await?;
        self.run("document.querySelector('form[method=post]').submit()").await?;
        self.turned(&left).await
    }

    /// A press does not wait for the page it leads to: the old page's root goes first, then the new one is complete.
    pub async fn turned(&self, Element(left): &Element) -> Result<(), String> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let gone = self.ask(Method::GET, &format!("/element/{left}/name"), &Value::Null).await.is_err();
            if gone && self.run("return document.readyState").await.is_ok_and(|state| state == "complete") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("no other page came".to_owned())
    }

    pub async fn write(&self, selector: &str, text: &str) -> Result<(), String> {
        let Element(id) = self.one(selector).await?;
        self.post(&format!("/element/{id}/value"), json!({ "text": text })).await.map(drop)
    }

    /// What a reader sees of the element.
    pub async fn text(&self, selector: &str) -> Result<String, String> {
        let found = self.all(selector).await?;
        self.text_of(found.first().ok_or_else(|| format!("no {selector} on the page"))?).await
    }

    pub async fn text_of(&self, Element(id): &Element) -> Result<String, String> {
        let text = self.ask(Method::GET, &format!("/element/{id}/text"), &Value::Null).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub async fn attribute(&self, Element(id): &Element, name: &str) -> Result<String, String> {
        let value = self.ask(Method::GET, &format!("/element/{id}/attribute/{name}"), &Value::Null).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a script as the tools do, beside the page's own policy; answers with what it returns.
    pub async fn run(&self, script: &str) -> Result<Value, String> {
        self.post("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// One key, pressed and let go, wherever the focus is.
    pub async fn key(&self, key: &str) -> Result<(), String> {
        let strokes = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.post("/actions", body).await.map(drop)
    }

    pub async fn look(&self, look: Look) -> Result<(), String> {
        let size = json!({ "width": look.width, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        self.chromium("Emulation.setDeviceMetricsOverride", size).await?;
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "media": "", "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.chromium("Emulation.setEmulatedMedia", media).await.map(drop)
    }

    /// As it is printed, until the next look.
    pub async fn paper(&self, dark: bool) -> Result<(), String> {
        let scheme = if dark { "dark" } else { "light" };
        let features = [json!({ "name": "prefers-color-scheme", "value": scheme })];
        self.chromium("Emulation.setEmulatedMedia", json!({ "media": "print", "features": features })).await.map(drop)
    }

    /// Whether pages may run scripts of their own.
    pub async fn scripts(&self, allowed: bool) -> Result<(), String> {
        self.chromium("Emulation.setScriptExecutionDisabled", json!({ "value": !allowed })).await.map(drop)
    }

    /// The whole page, however long, as PNG.
    pub async fn picture(&self) -> Result<Vec<u8>, String> {
        let parameters = json!({ "format": "png", "captureBeyondViewport": true, "optimizeForSpeed": false });
        let size = self.chromium("Page.getLayoutMetrics", json!({})).await?["cssContentSize"].take();
        let mut parameters = parameters;
        parameters["clip"] = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let shot = self.chromium("Page.captureScreenshot", parameters).await?;
        STANDARD.decode(shot["data"].as_str().unwrap_or_default()).map_err(|error| format!("a picture: {error}"))
    }

    /// What the browser complained about since last asked: failed loads, breaches of the content policy, script errors.
    pub async fn complaints(&self) -> Result<Vec<String>, String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await?;
        let lines = log.as_array().into_iter().flatten();
        let bad = lines.filter(|line| matches!(line["level"].as_str(), Some("SEVERE" | "WARNING")));
        Ok(bad.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Ends the session; what it started ends with the value.
    pub async fn close(&self) -> Result<(), String> {
        self.ask(Method::DELETE, "", &Value::Null).await.map(drop)
    }
}

/// chromedriver chooses a free port and says which.
fn port(driver: &mut Child) -> Result<u16, String> {
    let said = driver.stdout.take().ok_or("chromedriver says nothing")?;
    let until = Instant::now() + PATIENCE;
    for line in BufReader::new(said).lines() {
        let line = line.map_err(|error| format!("reading what chromedriver says: {error}"))?;
        if let Some((_, port)) = line.split_once("successfully on port ") {
            let port = port.trim_end_matches('.').parse();
            return port.map_err(|_| format!("chromedriver said: {line}"));
        }
        if Instant::now() > until {
            break;
        }
    }
    Err(format!("chromedriver did not start; {INSTALL}"))
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
