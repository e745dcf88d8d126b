use crate::manifests::read;
use crate::model::{Declarations, FingerprintKey};
use proptest::prelude::*;

fn declared(uri: &str, text: &str) -> Declarations {
    let key = FingerprintKey::new([7; 32]);
    read("shop", uri, text.as_bytes(), &key).unwrap_or_default()
}

/// Every identity of a file on a line, with what an agent reaches.
fn shown(uri: &str, text: &str) -> String {
    let out = declared(uri, text);
    let lines: Vec<String> = out
        .identities
        .iter()
        .map(|identity| {
            let place = &identity.locations[0];
            let notes: Vec<&str> = identity
                .notes
                .iter()
                .map(|note| note.text.as_str())
                .collect();
            let reach = identity.agent.as_ref().map_or_else(String::new, |reach| {
                format!(
                    " tools {:?} servers {:?} unasked {:?} providers {:?} keys {:?} literals {}",
                    reach.tools,
                    reach.servers,
                    reach.auto_approved,
                    reach.providers,
                    reach.credentials,
                    reach.static_credentials
                )
            });
            format!(
                "{} {:?} {} ({}){reach} {notes:?}",
                place.display(),
                identity.kind,
                identity.native_id,
                identity.purpose.clone().unwrap_or_default()
            )
        })
        .collect();
    lines.join("\n")
}

#[test]
fn python_agents_have_their_tools_servers_and_keys() {
    let text = r#"
import os
from agents import Agent, Runner, function_tool
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp as Remote

client = AsyncOpenAI(api_key=os.environ["OPENAI_API_KEY"])

@function_tool
def refund(order: str) -> str:
    """It's what a customer asks for."""
    stripe.api_key = os.getenv("STRIPE_SECRET_KEY")
    return stripe.Refund.create(order)

async def main():
    async with MCPServerStdio(
        name="files",
        params={"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "."]},
    ) as files, Remote(params={"url": "https://mcp.search.example/x", "headers": {"Authorization": f"Bearer {os.environ['SEARCH_TOKEN']}"}}) as search:
        support: Agent = Agent(
            name="Support", handoff_description="answers customers",
            instructions="Help (and don't guess)",
            model=OpenAIChatCompletionsModel(model="gpt-4o", openai_client=client),
            tools=[refund, WebSearchTool()],
            mcp_servers=[files, search],
        )
        other = NotAnAgent(name="x")
        triage = Agent(instructions="route", handoffs=[support])
"#;
    insta::assert_snapshot!(shown("app/support.py", text), @r#"
    shop/app/support.py:19 Agent shop/app/support.py#Support (answers customers) tools ["WebSearchTool", "refund"] servers ["files", "search"] unasked [] providers ["mcp.search.example", "openai", "stripe"] keys ["environment OPENAI_API_KEY", "environment SEARCH_TOKEN", "environment STRIPE_SECRET_KEY"] literals 0 ["asks the model gpt-4o"]
    shop/app/support.py:17 McpServer shop/app/support.py#Support#files (tool server of OpenAI Agents SDK) ["local server: npx @modelcontextprotocol/server-filesystem"]
    shop/app/support.py:18 McpServer shop/app/support.py#Support#search (tool server of OpenAI Agents SDK) ["remote server at mcp.search.example", "is given environment SEARCH_TOKEN"]
    shop/app/support.py:27 Agent shop/app/support.py#triage (OpenAI Agents SDK agent of shop) tools [] servers [] unasked [] providers [] keys [] literals 0 []
    "#);
}

#[test]
fn frameworks_of_python_are_known_by_what_is_imported() {
    let crew = "from crewai import Agent, LLM\nimport os\n\nclass Team:\n    def researcher(self) -> Agent:\n        return Agent(\n            role='Senior Researcher', goal='find', allow_code_execution=True,\n            llm=LLM(model='anthropic/claude-sonnet', api_key=os.getenv('ANTHROPIC_API_KEY')),\n            tools=[SerperDevTool(), search])\n    def writer(self):\n        return Agent(config=self.agents_config['writer'])\n";
    let graph = "from langgraph.prebuilt import create_react_agent\nfrom langchain_mcp_adapters.client import MultiServerMCPClient\nfrom langchain_openai import ChatOpenAI\nclient = MultiServerMCPClient({'math': {'command': 'python', 'args': ['m.py']}, 'web': {'url': 'https://web.example/mcp'}})\nllm = ChatOpenAI(model='gpt-4o-mini')\nasync def run():\n    tools = await client.get_tools()\n    agent = create_react_agent(llm, tools)\n";
    let kit = "from google.adk.agents import LlmAgent\nimport google.adk.agents as kit\nroot_agent = LlmAgent(model='gemini-2.5-flash', name='root', description='plans trips', tools=[lookup, McpToolset(connection_params=StdioConnectionParams(server_params=StdioServerParameters(command='uvx', args=['mcp-server-maps'], env={'MAPS_API_KEY': os.environ.get('MAPS_API_KEY')})))])\nother = kit.LlmAgent(name='second', model='gemini-2.5-pro')\n";
    let claude = "from claude_agent_sdk import query, ClaudeAgentOptions\noptions = ClaudeAgentOptions(permission_mode='bypassPermissions', allowed_tools=['Bash', 'mcp__git'], mcp_servers={'git': {'command': 'uvx', 'args': ['mcp-server-git']}})\n";
    let own = "from mylib import Agent\nimport os\nagent = Agent(name='x', tools=[a])\n";
    let all: Vec<String> = [
        ("crew.py", crew),
        ("graph.py", graph),
        ("kit.py", kit),
        ("claude.py", claude),
        ("own.py", own),
        ("tests/test_crew.py", crew),
    ]
    .iter()
    .map(|(uri, text)| shown(uri, text))
    .collect();
    insta::assert_snapshot!(all.join("\n--\n"), @r#"
    shop/crew.py:6 Agent shop/crew.py#Senior Researcher (CrewAI agent of shop) tools ["SerperDevTool", "search"] servers [] unasked [] providers ["anthropic"] keys ["environment ANTHROPIC_API_KEY"] literals 0 ["asks the model anthropic/claude-sonnet", "may run code that it writes"]
    --
    shop/graph.py:8 Agent shop/graph.py#agent (LangGraph agent of shop) tools [] servers ["math", "web"] unasked [] providers ["openai", "web.example"] keys [] literals 0 ["asks the model gpt-4o-mini"]
    shop/graph.py:4 McpServer shop/graph.py#agent#math (tool server of LangGraph) ["local server: python"]
    shop/graph.py:4 McpServer shop/graph.py#agent#web (tool server of LangGraph) ["remote server at web.example"]
    --
    shop/kit.py:3 Agent shop/kit.py#root (plans trips) tools ["lookup"] servers ["uvx mcp-server-maps"] unasked [] providers ["gcp", "uvx mcp-server-maps"] keys ["environment MAPS_API_KEY"] literals 0 ["asks the model gemini-2.5-flash"]
    shop/kit.py:3 McpServer shop/kit.py#root#uvx mcp-server-maps (tool server of Agent Development Kit) ["local server: uvx mcp-server-maps", "is given environment MAPS_API_KEY"]
    shop/kit.py:4 Agent shop/kit.py#second (Agent Development Kit agent of shop) tools [] servers [] unasked [] providers ["gcp"] keys [] literals 0 ["asks the model gemini-2.5-pro"]
    --
    shop/claude.py:2 Agent shop/claude.py#options (Claude Agent SDK agent of shop) tools ["Bash", "mcp__git"] servers ["git"] unasked ["*", "Bash", "mcp__git"] providers [] keys [] literals 0 []
    shop/claude.py:2 McpServer shop/claude.py#options#git (tool server of Claude Agent SDK) ["local server: uvx mcp-server-git"]
    --

    --

    "#);
}

#[test]
fn scripts_are_read_too() {
    let openai = "import { Agent, run, hostedMcpTool } from '@openai/agents';\nconst key = process.env.SEARCH_API_KEY!;\nexport const support = new Agent<Context>({\n  name: 'Support',\n  instructions: `Help ${name}, it's fine`,\n  model: 'gpt-4o',\n  tools: [search, hostedMcpTool({ serverLabel: 'git', serverUrl: 'https://git.example/mcp', requireApproval: 'never' })],\n});\n";
    let mastra = "const { Agent } = require(\"@mastra/core/agent\");\nconst { openai } = require('@ai-sdk/openai');\nconst weather = new Agent({ id: 'weather', model: openai('gpt-4o'), tools: { weatherTool, other: toolbox.other } });\n";
    let ai = "import { ToolLoopAgent as Loop } from \"ai\";\nimport { anthropic } from '@ai-sdk/anthropic';\nfunction make() {\n  return new Loop({ model: anthropic('claude-sonnet-4'), tools: { db: tool({ execute: async () => fetch(u, { headers: { Authorization: `Bearer ${process.env.DB_TOKEN}` } }) }) } });\n}\n";
    let all: Vec<String> = [
        ("src/a.ts", openai),
        ("src/b.js", mastra),
        ("src/c.mts", ai),
        ("src/c.test.ts", ai),
    ]
    .iter()
    .map(|(uri, text)| shown(uri, text))
    .collect();
    insta::assert_snapshot!(all.join("\n--\n"), @r#"
    shop/src/a.ts:3 Agent shop/src/a.ts#Support (OpenAI Agents SDK agent of shop) tools ["search"] servers ["git"] unasked ["*"] providers ["git.example", "openai"] keys [] literals 0 ["asks the model gpt-4o"]
    shop/src/a.ts:7 McpServer shop/src/a.ts#Support#git (tool server of OpenAI Agents SDK) ["remote server at git.example"]
    --
    shop/src/b.js:3 Agent shop/src/b.js#weather (Mastra agent of shop) tools ["other", "weatherTool"] servers [] unasked [] providers ["openai"] keys [] literals 0 ["asks the model gpt-4o"]
    --
    shop/src/c.mts:4 Agent shop/src/c.mts#make (Vercel AI SDK agent of shop) tools ["db"] servers [] unasked [] providers ["anthropic"] keys ["environment DB_TOKEN"] literals 0 ["asks the model claude-sonnet-4"]
    --

    "#);
}

#[test]
fn names_that_stand_for_each_other_end() {
    let text = "from crewai import Agent\na = b.x()\nb = a.y()\nc = d\nd = c\nAgent(role='r', name='x', tools=[a, c], llm=d)\n";
    assert_eq!(declared("a.py", text).identities.len(), 1);
}

#[test]
fn agents_of_one_name_stay_apart() {
    let text =
        "from crewai import Agent\na = Agent(role='r', name='x')\nb = Agent(role='r', name='x')\n";
    let out = declared("a.py", text);
    let ids: Vec<&str> = out
        .identities
        .iter()
        .map(|identity| identity.native_id.as_str())
        .collect();
    assert_eq!(ids, ["shop/a.py#x", "shop/a.py#x 2"]);
}

proptest! {
    #[test]
    fn any_program_is_read(parts in prop::collection::vec(prop::sample::select(vec![
        "from crewai import Agent\n", "import { Agent } from '@openai/agents'\n", "Agent(", "x = ", "tools=[", "{", "}", ")", "]", "(", "name='a'", ",",
        "os.environ['K']", "process.env.K", "\n", "  ", "'", "\"\"\"", "`", "/", "=>", "lambda", "x", "y", "x = y.x()\n", "y = x\n", ".", "mcp_servers=", "MCPServerStdio(", "as x", ":", "**", "é",
        "def x(", "function x(", "import os\n", "or ", "?? ", "await ", "agents_config",
    ]), 0..60), python: bool) {
        let text = format!("{}{}", if python { "from crewai import Agent\n" } else { "import { Agent } from '@openai/agents'\n" }, parts.concat());
        declared(if python { "a.py" } else { "a.ts" }, &text);
    }
}

#[test]
fn classes_that_extend_an_agent_are_agents() {
    let text = r#"
import os
from agents import Agent, function_tool
from livekit import agents as lk
from google.adk.agents import LlmAgent, BaseAgent
from autogen_core import RoutedAgent as Routed

class SupportAgent(Agent[Context]):
    """Answers customers.

    At length.
    """
    name: str = "support"
    model = "gpt-4.1"
    tools = [
        refund,
    ]

class Base(LlmAgent):
    key = os.environ["STRIPE_API_KEY"]

class Billing(Base):
    def __init__(self, **more):
        super().__init__(
            model="gemini-2.5-pro",
            description="Handles bills",
            **more,
        )

class Worker(Routed):
    def __init__(self) -> None:
        super().__init__("works")

class Helper(lk.Agent, metaclass=Meta):
    def __init__(self):
        super().__init__(instructions="x")

class Plain(Thing): pass
class NotMade(Agent): pass

async def main():
    bill = Billing()
    other = Worker("sorts", name="sorter")
"#;
    insta::assert_snapshot!(shown("agents/sub.py", text), @r#"
    shop/agents/sub.py:8 Agent shop/agents/sub.py#support (Answers customers.) tools ["refund"] servers [] unasked [] providers ["openai"] keys [] literals 0 ["asks the model gpt-4.1"]
    shop/agents/sub.py:22 Agent shop/agents/sub.py#Billing (Handles bills) tools [] servers [] unasked [] providers ["gcp", "stripe"] keys ["environment STRIPE_API_KEY"] literals 0 ["asks the model gemini-2.5-pro"]
    shop/agents/sub.py:34 Agent shop/agents/sub.py#Helper (LiveKit Agents agent of shop) tools [] servers [] unasked [] providers [] keys [] literals 0 []
    shop/agents/sub.py:43 Agent shop/agents/sub.py#sorter (AutoGen agent of shop) tools [] servers [] unasked [] providers [] keys [] literals 0 []
    "#);
}

#[test]
fn classes_of_scripts_are_agents_too() {
    let text = "import { Agent } from '@mastra/core/agent';\nexport class OpsAgent extends Agent {\n  private retries = 3;\n  constructor(key: string) {\n    super({ name: 'ops', model: openai('gpt-4o'), tools: { deploy } });\n    this.key = process.env.DEPLOY_TOKEN;\n  }\n}\nclass Other extends Thing {}\n";
    insta::assert_snapshot!(shown("src/ops.ts", text), @r#"shop/src/ops.ts:2 Agent shop/src/ops.ts#ops (Mastra agent of shop) tools ["deploy"] servers [] unasked [] providers ["openai"] keys ["environment DEPLOY_TOKEN"] literals 0 ["asks the model gpt-4o"]"#);
}

#[test]
fn agents_of_notebooks_stand_at_their_place() {
    let text = "{\n \"cells\": [\n  {\"cell_type\": \"code\", \"source\": [\n    \"!pip install openai-agents\\n\",\n    \"from agents import Agent\\n\"\n  ]},\n  {\"cell_type\": \"markdown\", \"source\": [\"# x = Agent(name='no', tools=[])\"]},\n  {\"cell_type\": \"code\", \"source\": [\n    \"agent = Agent(\\n\",\n    \"    name=\\\"Helper\\\", model=\\\"gpt-4o\\\")\\n\"\n  ], \"outputs\": []}\n ],\n \"metadata\": {}, \"nbformat\": 4\n}\n";
    insta::assert_snapshot!(shown("demo.ipynb", text), @r#"shop/demo.ipynb:9 Agent shop/demo.ipynb#Helper (OpenAI Agents SDK agent of shop) tools [] servers [] unasked [] providers ["openai"] keys [] literals 0 ["asks the model gpt-4o"]"#);
}
